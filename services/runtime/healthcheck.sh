#!/usr/bin/env bash
# The image's HEALTHCHECK: does this container's process answer 200 where it said that its health is asked? In bash alone:
# it runs every half minute in every container, and a Node.js process would cost ten times as much as everything else there.
set -euo pipefail
read -r port path <"$LISTENING_FILE"
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$path" >&3
read -r _ status _ <&3
[[ $status == 200 ]]
