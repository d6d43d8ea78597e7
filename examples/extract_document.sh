#!/usr/bin/env bash
# One document by `buf curl`, its bytes as base64 in JSON: examples/extract_document.sh ADDRESS API_KEY FILE
set -euo pipefail
address=$1 key=$2 file=$3
protos=$(dirname "$0")/../protos

{
  printf '{"config": {"request_id": "%s", "file_name": "%s"}}\n' "$(sha256sum "$file" | cut -c1-32)" "$(basename "$file")"
  split --bytes=512K --filter='printf "{\"chunk\": \"%s\"}\n" "$(base64 --wrap=0)"' "$file"
} | buf curl --schema "$protos" --protocol grpc --http2-prior-knowledge \
  --header "authorization: Bearer $key" --data @- \
  "http://$address/bankai.doc_extract.v1.DocExtractService/Extract"
