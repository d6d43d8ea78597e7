#!/usr/bin/env bash
# One utterance by `buf curl`, without any generated code: examples/classify.sh ADDRESS API_KEY [TEXT]
set -euo pipefail
address=$1 key=$2 text=${3:-我的卡丢了，赶紧给我挂失}
protos=$(dirname "$0")/../protos

buf curl --schema "$protos" --protocol grpc --http2-prior-knowledge \
  --header "authorization: Bearer $key" \
  --data "{\"text\": \"$text\", \"language\": \"zh\"}" \
  "http://$address/bankai.intent.v1.IntentService/Classify"
