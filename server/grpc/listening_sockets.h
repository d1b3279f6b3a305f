// Sockets that listen on one address, and one that calls them. An internal header of the listener.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace smsflow::server {

// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct SocketName {
  sockaddr_storage bytes{};
  socklen_t length = sizeof(sockaddr_storage);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
  // Whether a call that came from `other` came from here. Of a network only the port says so: a socket that is bound to
  // no interface yet has no address.
  bool IsCaller(const SocketName& other) const;
  // Whom to count it to: the bytes of its IPv4 address, or of the /64 of its IPv6 one; empty where it has none.
  std::string Host() const;
};

// Sockets that listen on every address that a name stands for, all on one port; they close with it. For one thread.
class ListeningSockets {
 public:
  // "host:port" or "unix:/path". Blocks for the resolver when `address` is a name.
  static absl::StatusOr<ListeningSockets> Open(const std::string& address);
  ListeningSockets() = default;
  ListeningSockets(ListeningSockets&&) = default;
  ListeningSockets& operator=(ListeningSockets&& other) noexcept {
    std::swap(sockets_, other.sockets_);
    std::swap(path_, other.path_);
    std::swap(file_, other.file_);
    return *this;
  }
  // Removes the file of a unix socket, if it is still the one that was made here.
  ~ListeningSockets() { RemoveFile(); }

  const std::vector<Descriptor>& all() const { return sockets_; }
  int port() const;  // 0: a unix socket

  struct Caller {
    Descriptor socket;
    SocketName name;  // as the one that is called sees it
  };
  // Calls the first of them, without waiting for an answer.
  absl::StatusOr<Caller> Call() const;

 private:
  absl::Status OpenUnix(const std::string& path);
  absl::Status OpenNetwork(std::string_view host, std::string_view port);
  void RemoveFile();

  std::vector<Descriptor> sockets_;
  std::string path_;  // of a unix socket
  ino_t file_ = 0;
};

}  // namespace smsflow::server
