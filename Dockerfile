# The bridge as a container: Rasa's action server with the bridge loaded into it.
#
#   docker build -t cc-bridge .
#   docker run --stop-timeout 30 -p 5055:5055 -v "$PWD/config:/app/config:ro" -v bridge-data:/data \
#       -e BRIDGE__GATEWAY__URL=https://cc-gateway.example:8043 cc-bridge
#
# Actions of your own: mount your package at /app/actions and put `from bridge.actions import *`
# into one of its modules.

FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY actions actions
COPY bridge bridge
COPY config config
RUN python -m venv /opt/cc-bridge \
    && /opt/cc-bridge/bin/pip install --no-cache-dir --constraint constraints.txt ".[postgres]"

FROM python:3.11-slim
COPY --from=build /opt/cc-bridge /opt/cc-bridge
ENV PATH=/opt/cc-bridge/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BRIDGE_CONFIG=/app/config \
    BRIDGE__STORAGE__URL=sqlite:////data/bridge.db
# Group 0 may write as well, because some platforms run containers under a random user ID.
RUN mkdir -p /app/config /data && chown 1001:0 /data && chmod 0770 /data
WORKDIR /app
USER 1001
VOLUME /data
EXPOSE 5055
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:5055/bridge/health', timeout=4)"]
CMD ["python", "-m", "rasa_sdk", "--actions", "actions"]
