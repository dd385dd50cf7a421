#!/bin/sh
# Installs the browser of tests/report on Debian, where there is none. Says on standard output why it cannot, and
# never fails: the tests are then skipped with that reason.

for browser in chromium chromium-browser google-chrome; do
    command -v "$browser" >/dev/null && command -v chromedriver >/dev/null && exit 0
done
if ! command -v apt-get >/dev/null; then
    echo "no chromium and chromedriver on the path, and no apt-get to install them"
    exit 0
fi
if [ "$(id -u)" -eq 0 ]; then
    root=
elif sudo -n true 2>/dev/null; then
    root="sudo -n"
else
    echo "no chromium and chromedriver on the path, and installing them needs root"
    exit 0
fi
# A mirror out of reach costs a minute, not the whole gate.
get="$root env DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20"
{
    $get update && $get install -y --no-install-recommends chromium chromium-driver fonts-dejavu-core
} >/dev/null 2>&1 || echo "apt-get could not install chromium and chromium-driver"
exit 0
