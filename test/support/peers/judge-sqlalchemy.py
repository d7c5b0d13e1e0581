"""Reads database URLs from standard input, a JSON list, and says how SQLAlchemy and oslo.db take them apart."""
import json
import sys

from sqlalchemy.engine.url import make_url


def answer(text):
    try:
        url = make_url(text)
    except Exception as error:
        return {'error': type(error).__name__}
    query = {key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()}
    return {'username': url.username, 'password': url.password, 'host': url.host, 'port': url.port,
            'database': url.database or '', 'query': query}


json.dump([answer(text) for text in json.load(sys.stdin)], sys.stdout)
