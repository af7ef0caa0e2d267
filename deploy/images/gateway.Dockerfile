# The gateway, with the words and the few parts of the chassis that it shares with the services.
ARG BASE=python:3.11-slim

FROM ${BASE} AS packages
COPY requirements/gateway.txt /tmp/lock.txt
RUN python -m venv --without-pip /venv \
 && python -m pip --python /venv/bin/python install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/lock.txt

FROM ${BASE} AS app
COPY requirements/web.txt /tmp/lock.txt
RUN python -m venv --without-pip /venv \
 && python -m pip --python /venv/bin/python install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/lock.txt
ENV PATH=/venv/bin:$PATH
WORKDIR /hearth/gateway/web
COPY gateway/web/package.json gateway/web/package-lock.json gateway/web/.npmrc ./
RUN npm ci --silent --omit=dev
COPY gateway/openapi.json ../
COPY gateway/clients/typescript/src ../clients/typescript/src
COPY gateway/web ./
RUN npm run --silent build

FROM ${BASE}
WORKDIR /hearth
COPY --from=packages /venv /venv
COPY services/__init__.py services/
COPY services/contracts services/contracts
COPY services/ground services/ground
COPY gateway/*.py gateway/
COPY gateway/bus gateway/bus
COPY gateway/door gateway/door
COPY gateway/pages gateway/pages
COPY gateway/routes gateway/routes
COPY gateway/web/src/addresses.json gateway/web/src/
COPY --from=app /hearth/build/web build/web
RUN /venv/bin/python -m compileall -q services gateway
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 HOME=/tmp HOST=0.0.0.0
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["gunicorn", "-c", "gateway/gunicorn.conf.py", "gateway.app:create()"]
