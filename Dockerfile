FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/iptlint && /opt/iptlint/bin/pip install --no-cache-dir .

FROM python:3.13-slim
COPY --from=build /opt/iptlint /opt/iptlint
ENV PATH="/opt/iptlint/bin:$PATH"
# What is checked is read only, and by nobody in particular.
USER 65534:65534
WORKDIR /work
ENTRYPOINT ["iptlint"]
CMD ["--help"]
