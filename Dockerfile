# The controller. Build: docker build -t cutpoint .
# With TLS:  docker run -p 8080:8080 -v cutpoint:/data -v /etc/cutpoint/tls:/tls:ro \
#   -e CUTPOINT_LISTEN__TLS_CERTIFICATE_FILE=/tls/cert.pem -e CUTPOINT_LISTEN__TLS_KEY_FILE=/tls/key.pem cutpoint
# For this machine alone:  docker run -p 127.0.0.1:8080:8080 -v cutpoint:/data -e CUTPOINT_LISTEN__INSECURE=true cutpoint
FROM node:20-bookworm-slim AS build
WORKDIR /app
# better-sqlite3 is compiled where no prebuilt binding can be had
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.client.json ./
ENV ONNXRUNTIME_NODE_INSTALL=skip
RUN npm ci --ignore-scripts && npm rebuild better-sqlite3
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts \
 # the runtime's package brings every platform; the image keeps its own
 && find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 -type d \
      ! -path "*/linux/$(node -p process.arch)" -exec rm -rf {} +

FROM node:20-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production CUTPOINT_LISTEN__HOST=0.0.0.0 CUTPOINT_DATA__DIRECTORY=/data
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/migrations migrations
COPY --from=build /app/config config
COPY --from=build /app/package.json /app/LICENSE /app/NOTICE ./
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["node", "-e", \
  "const { env } = process; env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; \
  fetch((env.CUTPOINT_LISTEN__TLS_CERTIFICATE_FILE ? 'https' : 'http') + '://127.0.0.1:8080/readyz') \
  .then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js", "serve"]
