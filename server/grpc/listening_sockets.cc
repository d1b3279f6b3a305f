#include "server/grpc/listening_sockets.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace smsflow::server {

namespace {

constexpr int kBacklog = 1'024;
constexpr mode_t kForOwnerAndGroup = 0660;
constexpr int kUnheardForMs = 20'000;

absl::Status Failed(const char* what) {
  return absl::UnavailableError(std::string(what) + ": " + ::strerrordesc_np(errno));
}

Descriptor Socket(int family) { return Descriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

void Set(const Descriptor& socket, int level, int option, int value) {
  ::setsockopt(socket.get(), level, option, &value, sizeof value);
}

std::uint16_t PortOf(const sockaddr_storage& name) {
  if (name.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(name).sin_port);
  if (name.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(name).sin6_port);
  return 0;
}
void SetPort(std::uint16_t port, sockaddr_storage& name) {
  if (name.ss_family == AF_INET) reinterpret_cast<sockaddr_in&>(name).sin_port = htons(port);
  if (name.ss_family == AF_INET6) reinterpret_cast<sockaddr_in6&>(name).sin6_port = htons(port);
}

SocketName NameOf(const Descriptor& socket) {
  SocketName name;
  if (::getsockname(socket.get(), name.get(), &name.length) != 0) name.length = 0;
  return name;
}

SocketName UnixName(const std::string& path) {
  SocketName name;
  auto& out = reinterpret_cast<sockaddr_un&>(name.bytes);
  out.sun_family = AF_UNIX;
  path.copy(out.sun_path, sizeof out.sun_path - 1);
  name.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return name;
}

const char* PathOf(const SocketName& name) { return reinterpret_cast<const sockaddr_un&>(name.bytes).sun_path; }

ino_t FileOf(const std::string& path) {
  struct stat file {};
  return ::lstat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode) ? file.st_ino : 0;
}

// Whether anybody listens there; a file that its process left behind has nobody.
bool IsAnswered(const SocketName& name) {
  const Descriptor caller = Socket(AF_UNIX);
  return ::connect(caller.get(), name.get(), name.length) == 0 || errno == EAGAIN;
}

absl::StatusOr<Descriptor> Listen(const SocketName& name) {
  Descriptor socket = Socket(name.bytes.ss_family);
  if (!socket.ok()) return Failed("socket");
  Set(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (name.bytes.ss_family == AF_INET6) {
    // "[::]" is everybody, as most mean it.
    Set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  }
  // What is accepted inherits it: answers are small, and each must go at once.
  if (name.bytes.ss_family != AF_UNIX) {
    Set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    Set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnheardForMs);
  }
  if (::bind(socket.get(), name.get(), name.length) != 0) return Failed("bind");
  // Nobody else on this machine needs to reach a socket that the folder's rights would let through; before listen()
  // nobody can. The mask of the process is left alone: other threads make files.
  if (name.bytes.ss_family == AF_UNIX && ::chmod(PathOf(name), kForOwnerAndGroup) != 0) return Failed("chmod");
  if (::listen(socket.get(), kBacklog) != 0) return Failed("listen");
  return socket;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

bool SocketName::IsCaller(const SocketName& other) const {
  if (bytes.ss_family == AF_UNIX) {
    return length == other.length && std::memcmp(&bytes, &other.bytes, length) == 0;
  }
  return PortOf(bytes) != 0 && PortOf(bytes) == PortOf(other.bytes);
}

std::string SocketName::Host() const {
  static constexpr std::size_t kV4Bytes = 4, kNetworkBytes = 8, kMappedAt = 12;
  if (bytes.ss_family == AF_INET) {
    const auto& name = reinterpret_cast<const sockaddr_in&>(bytes);
    return std::string(reinterpret_cast<const char*>(&name.sin_addr), kV4Bytes);
  }
  if (bytes.ss_family != AF_INET6) return {};
  const in6_addr& host = reinterpret_cast<const sockaddr_in6&>(bytes).sin6_addr;
  const char* const all = reinterpret_cast<const char*>(host.s6_addr);
  return IN6_IS_ADDR_V4MAPPED(&host) ? std::string(all + kMappedAt, kV4Bytes) : std::string(all, kNetworkBytes);
}

absl::StatusOr<ListeningSockets> ListeningSockets::Open(const std::string& address) {
  ListeningSockets made;
  std::string_view rest = address;
  absl::Status status;
  if (rest.starts_with("unix:")) {
    status = made.OpenUnix(std::string(rest.substr(5)));
  } else {
    const std::size_t colon = rest.rfind(':');
    std::string_view host = rest.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    status = made.OpenNetwork(host, rest.substr(colon + 1));
  }
  if (!status.ok()) return status;
  return made;
}

absl::Status ListeningSockets::OpenUnix(const std::string& path) {
  const SocketName name = UnixName(path);
  if (FileOf(path) != 0 && IsAnswered(name)) return absl::UnavailableError("somebody listens there");
  if (FileOf(path) != 0) ::unlink(path.c_str());
  auto socket = Listen(name);
  if (!socket.ok()) return socket.status();
  sockets_.push_back(*std::move(socket));
  path_ = path;
  file_ = FileOf(path);
  return absl::OkStatus();
}

absl::Status ListeningSockets::OpenNetwork(std::string_view host, std::string_view port) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(std::string(host).c_str(), std::string(port).c_str(), &hints, &found);
      error != 0) {
    return absl::UnavailableError(std::string("no such address: ") + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, ::freeaddrinfo);
  absl::Status last = absl::UnavailableError("no such address");
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketName name;
    std::memcpy(&name.bytes, one->ai_addr, one->ai_addrlen);
    name.length = one->ai_addrlen;
    // With port 0 all of them get what the first got.
    if (!sockets_.empty()) SetPort(static_cast<std::uint16_t>(this->port()), name.bytes);
    auto socket = Listen(name);
    if (socket.ok()) {
      sockets_.push_back(*std::move(socket));
      continue;
    }
    last = socket.status();
    // A name may stand for addresses that this machine does not have; one that another holds is a mistake.
    if (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT) return last;
  }
  return sockets_.empty() ? last : absl::OkStatus();
}

int ListeningSockets::port() const { return sockets_.empty() ? 0 : PortOf(NameOf(sockets_.front()).bytes); }

absl::StatusOr<ListeningSockets::Caller> ListeningSockets::Call() const {
  SocketName to = path_.empty() ? NameOf(sockets_.front()) : UnixName(path_);
  Caller caller{Socket(to.bytes.ss_family), {}};
  if (!caller.socket.ok()) return Failed("socket");
  // Bound before it calls, so that its name is known before anybody is called. A unix socket gets one that no file has.
  SocketName own;
  own.bytes.ss_family = to.bytes.ss_family;
  own.length = to.bytes.ss_family == AF_UNIX ? sizeof(sa_family_t) : to.length;
  if (::bind(caller.socket.get(), own.get(), own.length) != 0) return Failed("bind");
  caller.name = NameOf(caller.socket);
  if (::connect(caller.socket.get(), to.get(), to.length) != 0 && errno != EINPROGRESS) return Failed("connect");
  return caller;
}

void ListeningSockets::RemoveFile() {
  if (!path_.empty() && file_ != 0 && FileOf(path_) == file_) ::unlink(path_.c_str());
}

}  // namespace smsflow::server
