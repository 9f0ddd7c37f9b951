"""Changes that wait to be made: their queue, and the messages between a service and its worker."""
