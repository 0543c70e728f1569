# One way to install what a script needs. Sourced from the root of the project.

# install PACKAGE…: installs Debian packages, with sudo if need be; fails where that is not possible.
install() {
    local sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    if ! command -v apt-get >/dev/null || { [ -n "$sudo" ] && ! command -v sudo >/dev/null; }; then
        return 1
    fi
    $sudo apt-get update -q
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "$@"
}
