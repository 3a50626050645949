# https://docs.brew.sh/Formula-Cookbook
class Kubefob < Formula
  desc "OpenID Connect sign-in for kubectl, once for all of them"
  homepage "ADDRESS"
  url "ADDRESS/kubefob-VERSION.tar.gz"
  sha256 "SHA256"
  license "Apache-2.0"

  depends_on "node" => :build
  depends_on "rust" => :build

  on_linux do
    depends_on "pkgconf" => :build
    depends_on "webkitgtk"
  end

  def install
    system "cargo", "xtask", "build"
    bin.install Dir["target/programs-release/{kubefob,kubefob-window,kubectl-fob}"]
    bin.install_symlink bin/"kubectl-fob" => "kubectl-oidc_login"
    bin.install_symlink bin/"kubectl-fob" => "kubectl_complete-fob"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/kubefob --version")
  end
end
