#!/bin/sh
# Every command line of lfm in these pages is one that the program understands: none is wrong usage (status 2). Run where
# there are no models and is no network, so that none gets further. commands.sh LFM PAGE...
set -u
lfm=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ln -s "$lfm" "$folder/lfm"
count=0 wrong=0
for page in "$@"; do
  awk '/^```/ { inside = !inside; next } inside' "$page" |
    sed -nE 's/^\$ //; /^(lfm|echo .*\| lfm) /{s/ *&$//; p}' >"$folder/commands"
  while IFS= read -r command; do
    count=$((count + 1))
    (cd "$folder" && PATH=$folder:$PATH HOME=$folder XDG_CACHE_HOME=$folder HF_HOME=$folder HF_HUB_OFFLINE=1 \
      timeout 60 sh -c "$command" >out 2>&1 </dev/null)
    status=$?
    if [ $status -eq 2 ] || [ $status -gt 123 ]; then
      wrong=$((wrong + 1))
      echo "$page: $command: status $status"
      cat "$folder/out"
    fi
  done <"$folder/commands"
done
echo "$count command lines, $wrong of them wrong"
[ $count -ge 20 ] && [ $wrong -eq 0 ]
