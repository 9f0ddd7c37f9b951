"""The ranking beside plain rankers, over every judged collection at hand and damaged copies of one of them."""
