# One service, which SERVICE names: the words, the wheels and its own folder, nothing of the others.
ARG BASE=python:3.11-slim

FROM ${BASE} AS packages
ARG SERVICE
COPY requirements/${SERVICE}.txt /tmp/lock.txt
RUN python -m venv --without-pip /venv \
 && python -m pip --python /venv/bin/python install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/lock.txt

FROM ${BASE}
ARG SERVICE
WORKDIR /hearth
COPY --from=packages /venv /venv
COPY services/__init__.py services/
COPY services/contracts services/contracts
COPY services/ground services/ground
COPY services/chassis services/chassis
COPY services/${SERVICE} services/${SERVICE}
RUN /venv/bin/python -m compileall -q services
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 HOME=/tmp SERVICE=${SERVICE}
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["sh", "-c", "exec python -m services.$SERVICE \"$@\"", "service"]
