# One image for every role; ROLE says which.

FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY services services
COPY watchdog watchdog
RUN npm run build

FROM node:26-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:26-bookworm-slim
LABEL org.opencontainers.image.title="evenkeel" \
      org.opencontainers.image.description="A self-healing load balancer for Docker Compose" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 LISTENING_FILE=/tmp/listening
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
# `docker compose exec client node client.js 7` and `... watchdog node watchdogctl.js status` find them in the working directory.
RUN ln -s dist/services/client.js client.js && ln -s dist/watchdog/ctl/watchdogctl.js watchdogctl.js \
 && ln -s dist/watchdog/chaos/chaos.js chaos.js && mkdir /run/evenkeel
USER node
COPY services/healthcheck.sh ./
# Slow on purpose: it costs a process each time. The watchdog probes over HTTP, and much more often.
HEALTHCHECK --interval=30s --timeout=3s --retries=3 --start-period=30s --start-interval=1s \
  CMD ["bash", "healthcheck.sh"]
CMD ["node", "--enable-source-maps", "dist/services/main.js"]
