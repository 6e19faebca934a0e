"""The columns by which a file of rejected rows says why: known to whoever reads it again."""

ROW_COLUMN, REASON_COLUMN = "rejected_row", "rejected_reason"
REASON_COLUMNS = frozenset({ROW_COLUMN, REASON_COLUMN})
