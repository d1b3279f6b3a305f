// Holds back what is sent on a connection while more answers follow, so that they leave together. gRPC sends each with
// a system call and a segment of its own, and each wakes the client; a corked socket (tcp(7), TCP_CORK) only gathers
// them. As it alone knows the socket of each peer, it also ends a connection for whom gRPC has no word.
//
// Hold() and Release() belong to the thread that sends the answers; all else is thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace smsflow::server {

class Corks {
 public:
  ~Corks() { Release(); }

  // A connection that gRPC will close without a word. One that is not TCP is nobody's concern here. A number that was
  // added before stands for the new connection: so there are never more than the process may have.
  void Add(int connection);
  // What gRPC calls the peer of a call. Does nothing for one that is not known, or held already. Should its number
  // stand for another connection by now, that one is held, which harms nobody: it is until Release(), a moment.
  void Hold(const std::string& peer);
  // All of them may send.
  void Release();

  // Whether anything came from this peer a moment ago. False: it is not known.
  bool IsSpeaking(const std::string& peer) const;
  // At once, and what was sent and is not read yet is dropped with it; gRPC finds that it is gone. False: it is not
  // known, or gone already.
  bool End(const std::string& peer) const;

  // The other end, as gRPC names it; empty: not TCP, or gone.
  static std::string PeerOf(int connection);

 private:
  // -1: it is not known.
  int ConnectionOf(const std::string& peer) const;

  mutable std::mutex mutex_;
  std::unordered_map<std::string, int> connections_;  // by peer
  std::unordered_map<int, std::string> peers_;        // the other way round
  std::vector<int> held_;
};

}  // namespace smsflow::server
