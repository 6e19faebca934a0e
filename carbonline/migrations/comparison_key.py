"""A function that gives names the form in which they are compared, in any locale."""

from alembic import op
from sqlalchemy import text

# Of a database whose locale is C, as that of `carbonline up`, `lower` knows the letters of ASCII
# alone. PostgreSQL 17 has Unicode's own; before, nearly every server is built with ICU.
UNICODE = """
SELECT collname FROM pg_catalog.pg_collation
WHERE collname IN ('pg_c_utf8', 'und-x-icu', 'C.utf8') AND getdatabaseencoding() = 'UTF8'
    AND collencoding IN (-1, pg_char_to_encoding('UTF8'))
ORDER BY array_position(ARRAY['pg_c_utf8', 'und-x-icu', 'C.utf8'], CAST(collname AS text))
LIMIT 1
"""
# The same form as that of keys, which workers compose (`as_comparison_key`). What is ASCII, as
# nearly all names of units and sources are, needs none of it.
COMPARISON_KEY = """
CREATE OR REPLACE FUNCTION {schema}.comparison_key(of_text text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF octet_length(of_text) = char_length(of_text) THEN
        RETURN lower(of_text);
    END IF;
    RETURN {of_any_letter};
END
$$
"""
OF_ANY_LETTER = """replace(lower(normalize(of_text, NFC) COLLATE pg_catalog."{}"), 'ß', 'ss')"""


def create_comparison_key(schema: str) -> None:
    """Create `SCHEMA.comparison_key(text)`, in place of one that is there: composed, in lower case,
    and ss for ß. Of a server that knows Unicode in no way, lower case is that of its locale.
    """
    unicode = op.get_bind().scalar(text(UNICODE))
    of_any_letter = OF_ANY_LETTER.format(unicode) if unicode else "lower(of_text)"
    op.execute(COMPARISON_KEY.format(schema=schema, of_any_letter=of_any_letter))
