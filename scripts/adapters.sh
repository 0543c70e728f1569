# Makes sure that there is an adapter to test on. Sourced by the scripts that need one.
#
# Where no adapter is found, Mesa's software drivers are installed: on Debian and Ubuntu by apt, with
# sudo if need be. Elsewhere this says what to install, and gives up.

. scripts/install.sh
. scripts/release.sh

# GL through EGL wants a directory of its own.
if [ -z "${XDG_RUNTIME_DIR-}" ]; then
    XDG_RUNTIME_DIR=$(mktemp -d)
    export XDG_RUNTIME_DIR
fi

# SwiftShader comes with Chromium, and stands beside the drivers of the system where it is found.
swiftshader=/usr/lib/chromium/vk_swiftshader_icd.json
if [ -e $swiftshader ]; then
    export VK_ADD_DRIVER_FILES=${VK_ADD_DRIVER_FILES:-$swiftshader}
fi

# With an example, and so with the features that tests ask of dependencies: without it wgpu, naga and all that use them
# would be compiled twice, for the command and for the tests.
cargo build "${release[@]}" --quiet --bin unpool --example everything

# has_adapter PATTERN: whether a line `backend: name` of an adapter matches.
has_adapter() {
    local names
    names=$(target/release/unpool devices --names)
    grep -Eq "$1" <<<"$names"
}

# On Linux both Vulkan and GL are wanted, unless WGPU_BACKEND asks for one.
wanted=.
if [ "$(uname)" = Linux ] && [ -z "${WGPU_BACKEND-}" ]; then
    wanted='^vulkan:'
    if ! has_adapter "$wanted" || ! has_adapter '^gl:'; then
        install mesa-vulkan-drivers libvulkan1 libegl1 libgl1-mesa-dri || true
    fi
fi
if ! has_adapter "$wanted"; then
    cat >&2 <<'ADVICE'
No adapter was found, and no driver could be installed here. Install one and try again:
  Debian, Ubuntu   apt-get install mesa-vulkan-drivers libvulkan1
  Fedora           dnf install mesa-vulkan-drivers vulkan-loader
  Arch             pacman -S vulkan-swrast vulkan-icd-loader
  Alpine           apk add mesa-vulkan-swrast vulkan-loader
  Windows, macOS   drivers come with the system: run this in a session that has a GPU
ADVICE
    exit 1
fi
echo "Testing on the CPU and on:"
target/release/unpool devices --names | sed 's/^/  /'
