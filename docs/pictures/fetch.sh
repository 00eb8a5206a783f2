# A web server, a client that asks it for pages, and a step that fails.
python3 -m http.server --bind 127.0.0.1 8123 2>server.log &
server=$!
for page in fetch.sh missing.html server.log; do
    curl -qs --retry 9 --retry-connrefused --retry-delay 1 \
        -o "copy-of-$page" "http://127.0.0.1:8123/$page"
    sort "copy-of-$page" | gzip >"$page.gz"
done
kill $server
cp fetch.sh.gz results/latest.gz
