#!/bin/sh
# Record fetch.sh in a folder of its own, and take pictures of what commands show: of the report with
# Chromium, of the terminal with terminal.py.
#
# usage: take.sh SCOPETRACE, its absolute path; writes the pictures beside this script.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=/tmp/fetching
mkdir "$folder"
trap 'rm -rf "$folder"' EXIT
cp "$here/fetch.sh" "$folder"
cd "$folder"
export SCOPETRACE_HOME="$folder/sessions" PATH="/usr/bin:/bin:$PATH"
# The program fails, to show how that looks.
"$1" run -q --report report.html sh fetch.sh >/dev/null 2>&1 || true
chromium --headless=new --no-sandbox --hide-scrollbars --force-prefers-color-scheme=light \
    --user-data-dir="$folder/profile" --window-size=1200,900 \
    --screenshot="$here/report.png" "file://$folder/report.html" 2>/dev/null
"${1%/*}/python" "$here/terminal.py" "$1" "$here"
