"""What can go wrong with the log."""


class LogError(Exception):
    """The log cannot do what is asked.

    LogError
    ├── AppendError        the caller asked for what the log does not take
    ├── NotReadyError      nothing may be released now: unsigned for too long, or the clock went back
    ├── ForkError          the log is not the one that was signed before: a person must look
    ├── NoteError          a note is not signed by the key that is trusted, or is no note
    └── UnreadableError    an entry does not fit its leaf, or its key
    """


class AppendError(LogError):
    """The caller asked for what the log does not take."""


class NotReadyError(LogError):
    """Nothing may be released now."""


class ForkError(LogError):
    """The log is not the one that was signed before."""


class NoteError(LogError):
    """A note is not signed by the key that is trusted, or is no note."""


class UnreadableError(LogError):
    """An entry does not fit its leaf, or its key."""
