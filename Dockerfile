# The server, from the wheel:
#
#     python -m build && docker build --tag matinee .
#     docker run --rm --read-only --tmpfs /tmp --volume "$PWD/model:/srv/model:ro" matinee \
#         --version
#
# compose.yaml runs it beside PostgreSQL and Prometheus.

FROM python:3.13-slim AS build
COPY dist/matinee-*.whl /wheels/
RUN python -m venv /opt/matinee \
    && /opt/matinee/bin/pip install --no-cache-dir "$(echo /wheels/matinee-*.whl)[serve,postgresql]"

FROM python:3.13-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin matinee
COPY --from=build /opt/matinee /opt/matinee
ENV PATH=/opt/matinee/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv
USER 10001:10001
EXPOSE 8765
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8765/readyz', timeout=4)"]
ENTRYPOINT ["matinee"]
CMD ["serve", "/srv/model", "--host", "0.0.0.0"]
