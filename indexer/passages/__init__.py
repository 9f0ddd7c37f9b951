"""Articles cut into passages and sentences, and the texts that are indexed of them."""
