// One connection of the HTTP server, from its first byte to its last. For http_server.cc alone: it shows Asio.
//
// It belongs to its loop's thread, and to whatever it waits for: the last of those lets go of it. `Stream` is a socket,
// or TLS over one.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "crypto/secret.h"
#include "server/rest/http_loop.h"
#include "server/rest/response_text.h"
#include "server/rest/tls.h"

namespace smsflow::server::rest {

template <class Stream>
class Connection final : public Served, public std::enable_shared_from_this<Connection<Stream>> {
  using Socket = boost::asio::ip::tcp::socket;
  using Error = boost::system::error_code;
  static constexpr bool kTls = !std::is_same_v<Stream, Socket>;

 public:
  // `tls` lives as long as the connection, also once the certificate is another.
  Connection(const std::shared_ptr<Loop>& loop, Socket socket, TlsContexts::Context tls)
      : loop_(*loop), tls_(std::move(tls)), stream_(MakeStream(std::move(socket))), reader_(options().request) {
    loop_of_replies_ = loop;
  }
  ~Connection() override { Release(); }

  void Start() {
    loop_.Add(this);
    if constexpr (kTls) {
      deadline_ms_ = loop_.now_ms() + options().head_ms;
      stream_.async_handshake(boost::asio::ssl::stream_base::server, [self = Self()](const Error& error) {
        if (self->phase_ == Phase::kClosed) return;
        if (!error) return self->Advance();
        ++self->shared().handshakes_failed;
        self->Close();
      });
    } else {
      Advance();
    }
  }

  void Look(std::int64_t now_ms) override {
    if (deadline_ms_ == 0 || now_ms < deadline_ms_) return;
    if (phase_ == Phase::kReading && reader_.state() == RequestReader::State::kNothing) return Close();  // just idle
    if (phase_ != Phase::kLingering) ++shared().timeouts;
    if (phase_ == Phase::kReading && shaken_) return Refuse(408, "the request did not come in time");
    if (stream_source_ != nullptr) ++shared().streams_cut;
    Close();
  }
  void Drain() override {
    if (phase_ == Phase::kReading && reader_.state() == RequestReader::State::kNothing) Close();
  }
  void Cut() override {
    if (stream_source_ != nullptr) ++shared().streams_cut;
    Close();
  }

 private:
  enum class Phase : std::uint8_t { kReading, kServing, kWriting, kLingering, kClosed };

  // What a handler answers through. Whoever drops it unanswered has answered 500.
  class Ticket {
   public:
    Ticket(std::shared_ptr<Loop> loop, std::shared_ptr<Connection> connection)
        : loop_(std::move(loop)), connection_(std::move(connection)) {}
    ~Ticket() {
      if (connection_ != nullptr) Give(Response::Error(500, "the request was not answered"));
    }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    void Give(Response response) {
      if (connection_ == nullptr) return;
      loop_->Post([connection = std::move(connection_), response = std::move(response)]() mutable {
        connection->Answer(std::move(response));
      });
    }

   private:
    const std::shared_ptr<Loop> loop_;  // outlives what is posted to it
    std::shared_ptr<Connection> connection_;
  };

  const HttpOptions& options() const { return loop_.shared().options; }
  HttpShared& shared() const { return loop_.shared(); }
  std::shared_ptr<Connection> Self() { return this->shared_from_this(); }

  Stream MakeStream(Socket socket) {
    if constexpr (kTls) {
      return Stream(std::move(socket), *tls_);
    } else {
      return socket;
    }
  }
  Socket& socket() {
    if constexpr (kTls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }
  void LetPassIn(std::int64_t ms) { deadline_ms_ = loop_.now_ms() + ms; }

  // Takes what has come as far as it goes, then reads more or serves.
  void Advance() {
    using State = RequestReader::State;
    shaken_ = true;
    phase_ = Phase::kReading;
    const State before = reader_.state();
    while (true) {
      const State state = reader_.state();
      const std::size_t taken = reader_.Read(std::string_view(in_).substr(begin_, filled_));
      begin_ += taken;
      filled_ -= taken;
      if (reader_.state() == state) break;  // no further without more bytes
    }
    switch (reader_.state()) {
      case State::kWhole:
        return Serve();
      case State::kRefused:
        ++shared().malformed;
        return Refuse(reader_.refusal().status, reader_.refusal().error);
      case State::kNothing:
        if (loop_.draining()) return Close();
        LetPassIn(is_new_ ? std::min(options().head_ms, options().idle_ms) : options().idle_ms);
        break;
      case State::kHead:
        if (before != State::kHead) LetPassIn(options().head_ms);
        break;
      case State::kBody:
        if (before != State::kBody && !AwaitBody()) return;
        break;
    }
    ReadMore();
  }

  // A body is on its way: whether it may come at all.
  bool AwaitBody() {
    LetPassIn(options().body_ms);
    if (auto early = shared().hooks.admit(reader_.head(), reader_.authorization())) {
      closing_ = unread_ = true;
      path_ = reader_.head().path;
      Answer(*std::move(early));
      return false;
    }
    // A chunked one may become as long as is allowed.
    const std::size_t length =
        reader_.length() != 0 ? static_cast<std::size_t>(reader_.length()) : options().request.body_bytes;
    if (shared().bodies_bytes.fetch_add(length) + length > options().bodies_bytes_max) {
      shared().bodies_bytes.fetch_sub(length);
      Refuse(503, "too many bodies are on their way: try again later");
      return false;
    }
    reserved_ = length;
    if (reader_.awaits_continue() && filled_ == 0) {
      static constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";
      boost::asio::async_write(stream_, boost::asio::buffer(kContinue, sizeof kContinue - 1),
                               [self = Self()](const Error& error, std::size_t) {
                                 if (self->phase_ != Phase::kReading) return;
                                 error ? self->Close() : self->ReadMore();
                               });
      return false;
    }
    return true;
  }

  void ReadMore() {
    const std::size_t wanted = reader_.state() == RequestReader::State::kBody ? kBodyReadBytes : kReadBytes;
    if (in_.size() < filled_ + wanted) {
      std::string larger(filled_ + wanted, '\0');
      std::memcpy(larger.data(), in_.data() + begin_, filled_);
      std::swap(in_, larger);
      crypto::WipeString(larger);  // what it held was somebody's credential
    } else if (begin_ != 0) {
      std::memmove(in_.data(), in_.data() + begin_, filled_);
    }
    begin_ = 0;
    read_pending_ = true;
    stream_.async_read_some(boost::asio::buffer(in_.data() + filled_, in_.size() - filled_),
                            [self = Self()](const Error& error, std::size_t size) { self->OnRead(error, size); });
  }

  void OnRead(const Error& error, std::size_t size) {
    read_pending_ = false;
    if (phase_ == Phase::kLingering) return error ? Close() : Discard(size);
    if (phase_ != Phase::kReading) return;
    if (error) return Close();
    filled_ += size;
    Advance();
  }

  void Serve() {
    phase_ = Phase::kServing;
    is_new_ = false;
    deadline_ms_ = 0;
    Release();
    is_head_ = reader_.head().method == Method::kHead;
    closing_ = !reader_.keep_alive();
    old_ = reader_.is_http_1_0();
    path_ = reader_.head().path;
    std::string authorization = reader_.TakeAuthorization();
    std::fill_n(in_.begin(), begin_, '\0');  // who asks, and perhaps for another password: nobody reads it again
    auto ticket = std::make_unique<Ticket>(loop_of_replies_.lock(), Self());
    shared().hooks.serve(reader_.Take(), std::move(authorization),
                         [ticket = std::move(ticket)](Response response) { ticket->Give(std::move(response)); });
  }

  // What was read cannot be served, and where the next request begins is not known.
  void Refuse(int status, const char* error) {
    closing_ = unread_ = true;
    path_ = std::string(reader_.path());
    Answer(Response::Error(status, error));
  }

  void Answer(Response response) {
    if (phase_ == Phase::kClosed) return;
    phase_ = Phase::kWriting;
    LetPassIn(options().write_ms);
    if (!response.error.empty()) shared().hooks.show_error(path_, response);
    ++shared().answers[static_cast<std::size_t>(response.status / 100 % 6)];
    const bool chunked = response.stream != nullptr && !old_;
    if (loop_.draining() || (response.stream != nullptr && old_)) closing_ = true;
    out_.clear();
    AppendHead(response, {loop_.date(), closing_, old_, chunked}, out_);
    if (!is_head_ && response.stream == nullptr) out_ += response.body;
    if (!is_head_) stream_source_ = std::move(response.stream);
    Write();
  }

  void Write() {
    boost::asio::async_write(stream_, boost::asio::buffer(out_), [self = Self()](const Error& error, std::size_t) {
      if (self->phase_ != Phase::kWriting) return;
      if (error && self->stream_source_ != nullptr) ++self->shared().streams_cut;
      if (error) return self->Close();
      self->stream_source_ != nullptr ? self->NextPiece() : self->Written();
    });
  }

  void NextPiece() {
    deadline_ms_ = 0;
    stream_source_->Next([loop = loop_of_replies_.lock(), self = Self()](BodySource::Piece piece) mutable {
      loop->Post([self = std::move(self), piece = std::move(piece)]() mutable { self->TakePiece(std::move(piece)); });
    });
  }

  void TakePiece(BodySource::Piece piece) {
    if (phase_ != Phase::kWriting || stream_source_ == nullptr) return;
    if (!piece.ok()) return Cut();
    LetPassIn(options().write_ms);
    const bool last = piece->empty();
    if (last) stream_source_.reset();
    if (last && old_) return Written();
    out_ = old_ ? *std::move(piece) : ChunkOf(*piece);
    Write();
  }

  void Written() {
    if (closing_) return Linger();
    is_head_ = false;
    if (filled_ == 0 && in_.size() > kReadBytes) {  // an idle connection holds little
      std::string().swap(in_);
      begin_ = 0;
    }
    if (out_.capacity() > kReadBytes) std::string().swap(out_);
    Advance();
  }

  // The other side may still be sending what is not read any more: to close at once would take the answer from it.
  void Linger() {
    phase_ = Phase::kLingering;
    LetPassIn(kLingerMs);
    Error ignored;
    if (!kTls) {
      socket().shutdown(Socket::shutdown_send, ignored);
    } else if (!unread_) {
      return Farewell();
    }
    if (!read_pending_) Discard(0);
  }
  void Farewell() {
    if constexpr (kTls) stream_.async_shutdown([self = Self()](const Error&) { self->Close(); });
  }
  void Discard(std::size_t size) {
    discarded_ += size;
    if (discarded_ > kDiscardBytes) return Close();
    begin_ = filled_ = 0;
    ReadMore();
  }

  void Release() { shared().bodies_bytes.fetch_sub(std::exchange(reserved_, 0)); }

  void Close() {
    if (std::exchange(phase_, Phase::kClosed) == Phase::kClosed) return;
    Error ignored;
    socket().close(ignored);
    stream_source_.reset();
    Release();
    loop_.Remove(this);
  }

  static constexpr std::size_t kReadBytes = 4 << 10;
  static constexpr std::size_t kBodyReadBytes = 16 << 10;
  static constexpr std::int64_t kLingerMs = 2'000;
  static constexpr std::size_t kDiscardBytes = 4 << 20;

  Loop& loop_;
  std::weak_ptr<Loop> loop_of_replies_;
  const TlsContexts::Context tls_;
  Stream stream_;
  RequestReader reader_;
  Phase phase_ = Phase::kReading;
  bool shaken_ = false;
  bool is_new_ = true;  // it has asked for nothing yet, and gets less patience
  std::string in_;      // from `begin_` on, `filled_` bytes have come and are not taken yet
  std::size_t begin_ = 0;
  std::size_t filled_ = 0;
  std::string out_;
  std::int64_t deadline_ms_ = 0;  // 0: none
  bool read_pending_ = false;
  std::size_t reserved_ = 0;
  std::size_t discarded_ = 0;

  // Of the request that is served.
  std::string path_;
  bool is_head_ = false;
  bool closing_ = false;
  bool unread_ = false;  // it may still be coming, and is not wanted
  bool old_ = false;
  std::unique_ptr<BodySource> stream_source_;
};

}  // namespace smsflow::server::rest
