"""The most that one request may ask for; requests over a limit are refused by name and value."""

MAX_LIST_LENGTH = 100  # n
MAX_LIST_DEPTH = 1000  # offset + n
MAX_BATCH_USERS = 1000
MAX_BATCH_EXPLANATIONS = 10_000  # users times n of a batch with reasons
MAX_EXPORT_USERS = 100_000  # named in the request of an export
MAX_ITEM_CHANGES = 1000  # items of one change to the catalogue
MAX_PROPERTIES = 100  # columns of an item, or features of a user
MAX_EVENTS = 1000  # rows of one feedback request
MAX_RATINGS = 5000  # ratings of a new person
MAX_SESSION_ITEMS = 1000  # items of a session
MAX_FILTER_ITEMS = 10_000  # items named in a filter
MAX_CONDITIONS = 20  # columns that the conditions of one list are on
MAX_MAP_POINTS = 100_000
