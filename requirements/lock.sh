#!/usr/bin/env bash
# Compile the locks: every wheel by hash, no index address, for every platform the services run on.
# Usage: lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."

compile() { # OUTPUT INPUTS AND OPTIONS...
  local target=(--universal --python-version 3.12)
  # pip judges a lock's markers for the machine it runs on: what the controller fetches for Windows has none.
  [[ $1 != *-windows ]] || target=(--python-platform windows --python-version 3.13)
  uv pip compile --quiet "${target[@]}" --generate-hashes \
    --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
    ${upgrade:+--upgrade} --output-file "requirements/$1.txt" "${@:2}"
}

upgrade=${1:-}
for extra in gateway speech engine phantom client wyoming; do
  compile "$extra" pyproject.toml --extra "$extra"
done
compile speech-cuda pyproject.toml --extra speech requirements/speech-cuda.in --constraints requirements/speech.txt
compile gateway-windows pyproject.toml --extra gateway --constraints requirements/gateway.txt
compile controller pyproject.toml --all-extras requirements/controller.in
compile contributor requirements/contributor.in --constraints requirements/controller.txt
compile tts requirements/tts.in
compile lab-ollama requirements/lab-ollama.in
compile models --no-deps requirements/models.in
compile wine-windows --no-deps requirements/wine-windows.in
