"""The export service: one user's activity as a CSV file, made in the background, in flat memory.

Rooms, imports only point down:

    __main__  main     doors: the command line, the app factory and its lifespan
    api                HTTP: exports, health, memory
    service  auth      what a request reaches; whose request it is
    jobs               the durable queue, its workers, one export
    files  rows        atomic files; SQLite rows to CSV bytes, without the ORM
    db                 tables and the engine of the control database
    settings
"""
