#!/usr/bin/env bash
# Train in several processes, one a GPU, of one or more hosts:
#   [NNODES=1 NODE_RANK=0 MASTER_ADDR=127.0.0.1 PORT=29500] \
#       tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# On one host, without PORT, a free port is taken. Without GPUs, GPUS is the number of
# processes; add: --cfg-options env_cfg.dist_cfg.backend=gloo
set -eu
if [ "$#" -lt 2 ]; then
    echo "usage: $0 CONFIG GPUS [arguments of tools/train.py]" >&2
    exit 2
fi
CONFIG=$1
GPUS=$2
shift 2

RENDEZVOUS=(
    --nnodes="${NNODES:-1}"
    --node_rank="${NODE_RANK:-0}"
    --master_addr="${MASTER_ADDR:-127.0.0.1}"
    --master_port="${PORT:-29500}"
)
if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
    RENDEZVOUS=(--standalone)
fi

exec python -m torch.distributed.run \
    "${RENDEZVOUS[@]}" \
    --nproc_per_node="$GPUS" \
    "$(dirname "$0")/train.py" "$CONFIG" --launcher pytorch "$@"
