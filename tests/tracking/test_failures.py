import pytest

from convscope.tracking.failures import reason, redact


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://ann:pw@host:5000/a", "http://***@host:5000/a"),
        ("https://ann:p@w/x@host", "https://***@host"),
        ("postgresql+psycopg2://ann:pw@db/mlflow", "postgresql+psycopg2://***@db/mlflow"),
        ("https://host/a?api_key=abc&x=1", "https://host/a?api_key=***&x=1"),
        ("sqlite:////home/ann/mlflow.db", "sqlite:////home/ann/mlflow.db"),
        ("sqlite:////home/ann@work/mlflow.db", "sqlite:////home/ann@work/mlflow.db"),
    ],
)
def test_redact_blanks_secrets_only(uri, shown):
    assert redact(f"cannot reach {uri}: refused") == f"cannot reach {shown}: refused"


def test_the_reason_is_one_line_with_the_cause():
    request = (
        "API request to http://a:b@h/api failed with exception Pool(host='h'): Max retries exceeded"
        " (Caused by NewConnectionError(\"HTTPConnection(host='h'): Connection refused\"))"
    )
    assert reason(Exception(request)) == "HTTPConnection(host='h'): Connection refused"
    assert reason(Exception("locked\n[SQL: INSERT INTO runs]")) == "locked"
    assert reason(TimeoutError()) == "TimeoutError"
