# One image for every role; ROLE says which.

FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY build.ts ./
COPY services services
COPY watchdog watchdog
RUN npm run build

FROM node:26-bookworm-slim
LABEL org.opencontainers.image.title="evenkeel" \
      org.opencontainers.image.description="A self-healing load balancer for Docker Compose" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 LISTENING_FILE=/tmp/listening NODE_COMPILE_CACHE=/app/compiled \
    NODE_OPTIONS="--max-semi-space-size=4 --v8-pool-size=2" WATCHDOG_USER=1000:8404
COPY --from=build /app/dist dist
COPY package.json ./
# `docker compose exec client node client.js 7` and `... watchdog node watchdogctl.js status` find them in the working directory.
RUN ln -s dist/services/client/client.js client.js && ln -s dist/watchdog/ctl/watchdogctl.js watchdogctl.js \
 && ln -s dist/watchdog/chaos/chaos.js chaos.js && install -d /run/evenkeel && install -d -o node compiled
USER node
# The members' roles start and end once here: what V8 has compiled of them need not be compiled at a start that somebody waits for.
RUN for role in balancer proxy server client; do : | ROLE=$role STOP_WITH_STDIN=yes node dist/services/main.js || exit; done \
 && test -n "$(ls compiled)" && rm -f /tmp/listening
COPY services/runtime/healthcheck.sh ./
# Slow on purpose: it costs a process each time. The watchdog probes over HTTP, and much more often.
HEALTHCHECK --interval=30s --timeout=3s --retries=3 --start-period=30s --start-interval=1s \
  CMD ["bash", "healthcheck.sh"]
CMD ["node", "dist/services/main.js"]
