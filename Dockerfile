# Syncline in one image: the web application, workers and commands are run from it.
# Not yet built by a container engine, for want of one. deployments/compose.yaml shows how it is meant to be used.
FROM python:3.13-slim-bookworm

RUN useradd --create-home --uid 10001 syncline
WORKDIR /app

COPY requirements.lock pyproject.toml LICENSE ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

COPY prefect.yaml ./
COPY cli cli
COPY connectors connectors
COPY deployments deployments
COPY flows flows
COPY sandbox sandbox
COPY storage storage
COPY tasks tasks
COPY web web
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e . && python -m compileall -q .

ENV PYTHONUNBUFFERED=1 \
    DO_NOT_TRACK=1 \
    SYNCLINE_HOME=/home/syncline/.syncline \
    PREFECT_HOME=/home/syncline/.prefect \
    PREFECT_WORKER_QUERY_SECONDS=1 \
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY=30 \
    PREFECT_EVENTS_WORKER_MAX_QUEUE_SIZE=10000 \
    PREFECT_RESULTS_PERSIST_BY_DEFAULT=false \
    PREFECT_TASKS_DEFAULT_NO_CACHE=true \
    PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW=ignore \
    PREFECT_LOGGING_EXTRA_LOGGERS=connectors,storage,tasks,flows

USER syncline
EXPOSE 8000
CMD ["python", "-m", "web.server", "--alone", "--host", "0.0.0.0", "--port", "8000"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
