#!/usr/bin/env bash
# Builds diffspec and installs it: the program, which then needs no Swift, the bundled models, a manual page for every command, and
# completions for bash, zsh and fish.
#
#     ./install.sh [PREFIX]      (default: /usr/local for root, ~/.local for others)
set -euo pipefail
if [ $# -gt 1 ] || [[ "${1:-}" == -* ]]; then
    echo "usage: ./install.sh [PREFIX]" >&2
    exit 64
fi
cd "$(dirname "$0")"
prefix=${1:-$([ "$(id -u)" -eq 0 ] && echo /usr/local || echo "$HOME/.local")}
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
.ci/install
# Apart from the ordinary build, which the manual is made from, so that neither builds the other's files again.
swift build -c release --scratch-path .build-install --static-swift-stdlib --product diffspec
swift package generate-manual --multi-page --configuration release

install -D -m 755 .build-install/release/diffspec "$prefix/bin/diffspec"
for page in .build/plugins/GenerateManual/outputs/diffspec/*.1; do
    install -D -m 644 "$page" "$prefix/share/man/man1/$(basename "$page")"
done
complete() {
    mkdir -p "$(dirname "$prefix/$2")"
    "$prefix/bin/diffspec" --generate-completion-script "$1" >"$prefix/$2"
}
complete bash share/bash-completion/completions/diffspec
complete zsh share/zsh/site-functions/_diffspec
complete fish share/fish/vendor_completions.d/diffspec.fish
weights="$prefix/share/diffspec/weights"
mkdir -p "$weights"
for model in weights/*/; do
    [ "$model" = weights/training/ ] || cp -R "$model" "$weights/"
done
echo "diffspec is in $prefix/bin$(case ":$PATH:" in *":$prefix/bin:"*) ;; *) echo ", which is not in PATH" ;; esac)."
