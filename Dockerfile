# One image for consumer, worker, ingress, migrate, drain, dlq and lag; the command chooses: docker run ackpool worker.
# The target "local" has what compose adds for a first try: the local model and produce.
ARG DENO_VERSION=2.9.6

FROM denoland/deno:${DENO_VERSION} AS source
ENV DENO_DIR=/deno-dir
WORKDIR /app
COPY deno.json deno.lock ./
COPY deploy/image deploy/image
COPY shared shared
COPY consumer consumer
COPY worker worker

FROM source AS installed
RUN deploy/image/install.sh consumer/main.ts worker/main.ts worker/serve.ts worker/ingress/main.ts worker/migrate.ts consumer/drain.ts consumer/cli/dlq.ts consumer/cli/lag.ts consumer/cli/flow/main.ts consumer/cli/live/tail.ts consumer/cli/live/why.ts worker/report/main.ts

FROM source AS local-installed
COPY local local
RUN deploy/image/install.sh local/model/main.ts local/produce.ts

# No shell, no package manager; only /deno-dir and /app are ours, and nothing writes to them.
FROM denoland/deno:distroless-${DENO_VERSION} AS base
ENV DENO_DIR=/deno-dir DENO_NO_PROMPT=1 DENO_NO_UPDATE_CHECK=1
WORKDIR /app
USER 65532:65532
# The flags are those of deno.json's tasks. `deno task` passes signals and exit codes on.
ENTRYPOINT ["/bin/deno", "task", "--quiet"]

FROM base AS local
COPY --from=local-installed /deno-dir /deno-dir
COPY --from=local-installed /app /app
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["/bin/deno", "run", "--no-config", "--allow-net=127.0.0.1", "deploy/image/healthy.ts", "http://127.0.0.1:8090/livez"]
CMD ["model"]

FROM base AS ackpool
LABEL org.opencontainers.image.title="Ackpool" org.opencontainers.image.version="1.0.0"
COPY --from=installed /deno-dir /deno-dir
COPY --from=installed /app /app
EXPOSE 8000 8080
# Worker and ingress are asked on PORT, the consumer on HEALTH_PORT or ADMIN_PORT.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["/bin/deno", "run", "--no-config", "--allow-net=127.0.0.1", "deploy/image/healthy.ts", "http://127.0.0.1:8000/livez", "http://127.0.0.1:8080/livez"]
