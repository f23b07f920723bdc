# The image of every orderfleet process: workers, pollers and the command line. See docker-compose.yml.

# Compilers stay in this stage: on platforms without a ready wheel some packages are built from source.
FROM python:3.11.14-bookworm AS packages
COPY requirements-image.lock /tmp/requirements-image.lock
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        -r /tmp/requirements-image.lock

FROM python:3.11.14-slim-bookworm
COPY --from=packages /opt/venv /opt/venv
RUN groupadd --gid 10001 orderfleet \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin orderfleet \
    && printf '#!/bin/sh\nexec python -m ops.cli "$@"\n' > /usr/local/bin/orderfleet \
    && chmod 0755 /usr/local/bin/orderfleet

# Faust makes its folder where it starts, and /app is not ours to write; we keep nothing in it.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    APP_DATADIR=/tmp/faust

WORKDIR /app
COPY pyproject.toml topology.py ./
COPY schemas schemas
COPY channel_adapters channel_adapters
COPY workers workers
# Of ops what runs in production: no testbed, no bench, nothing that only a checkout needs.
COPY ops/__init__.py ops/__init__.py
COPY ops/api ops/api
COPY ops/cli ops/cli
COPY ops/console ops/console

USER 10001:10001
ENTRYPOINT ["orderfleet"]
CMD ["--help"]
