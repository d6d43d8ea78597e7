#!/usr/bin/env bash
# A whole call by `buf curl`, one JSON message a line: examples/stream_call.sh ADDRESS API_KEY
set -euo pipefail
address=$1 key=$2
protos=$(dirname "$0")/../protos

buf curl --schema "$protos" --protocol grpc --http2-prior-knowledge \
  --header "authorization: Bearer $key" --data @- \
  "http://$address/bankai.intent.v1.IntentService/StreamCall" <<'CALL'
{"config": {"call_id": "call-20250101-0002", "channel": "ivr", "language": "zh"}}
{"segment": {"segment_id": "s1", "speaker": "SPEAKER_CALLER", "text": "我上个月的账单怎么比平时多了两百块", "is_final": true, "end_ms": "3000"}}
{"segment": {"segment_id": "s2", "speaker": "SPEAKER_CALLER", "text": "都问了三遍了 你们到底有没有人管", "is_final": true, "start_ms": "4000", "end_ms": "7000"}}
CALL
