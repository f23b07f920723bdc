"""Proxy settings that the HTTP client cannot use: the command says which to set how, it is no mistake of ours."""

from __future__ import annotations

import httpx
import pytest
import typer

from ops.cli import intake
from ops.cli.output import ExitCode


@pytest.mark.parametrize(("name", "value"), [("ALL_PROXY", "socks5://127.0.0.1:9"), ("NO_PROXY", "localhost,[::1]")])
def test_what_to_set_is_said(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv(name, value)
    with pytest.raises(typer.Exit) as ended:
        intake._client(httpx.Limits())
    assert ended.value.exit_code == ExitCode.USAGE
    assert "HTTPS_PROXY" in capsys.readouterr().err
