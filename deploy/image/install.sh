#!/bin/sh
# Installs what some programs need and nothing else; DENO_DIR is complete afterwards and need not be written again.
# Runs where deno.json, deno.lock and the programs are: install.sh PROGRAM.ts…
set -eu

deno run --no-config --no-lock --allow-read=. --allow-write=deno.json deploy/image/prune.ts "$@"
deno install --frozen=false --entrypoint "$@"

# What only editors and people read is two thirds of the packages.
find "$DENO_DIR/npm" -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' -o -name '*.md' \) -delete
# Some packages ship files that only their owner may read; the programs run as another user.
chmod -R a+rX "$DENO_DIR" .
