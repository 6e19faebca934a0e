"""The columns that a file of rejected rows has in addition, ignored when it is read again."""

ROW_COLUMN, REASON_COLUMN = "rejected_row", "rejected_reason"
REASON_COLUMNS = frozenset({ROW_COLUMN, REASON_COLUMN})
