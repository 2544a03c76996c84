// A peer of the rpc benchmark: the echo service on gRPC C++.
//
// usage: echo-grpc-cpp queue|callback PORT [CERTIFICATE KEY]
//   queue     one thread and one completion queue, with the asynchronous API
//   callback  the callback API

#include <cstdint>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include <grpcpp/grpcpp.h>

#include "tributary/test/v1/echo.grpc.pb.h"

namespace {

using tributary::test::v1::Echo;
using tributary::test::v1::EchoRequest;
using tributary::test::v1::EchoResponse;

void Answer(const EchoRequest& request, EchoResponse* response) {
  const int count = request.ids_size();
  auto* values = response->mutable_values();
  values->Resize(count, 0);
  const uint64_t* ids = request.ids().data();
  float* out = values->mutable_data();
  for (int i = 0; i < count; i++) out[i] = static_cast<float>(ids[i] & 0xFFFF) * 0.5f;
}

class CallbackEcho final : public Echo::CallbackService {
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, const EchoRequest* request,
                                  EchoResponse* response) override {
    Answer(*request, response);
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

// One slot for a call: waits for a request, answers it, and is replaced by a new slot.
class QueuedCall {
 public:
  QueuedCall(Echo::AsyncService* service, grpc::ServerCompletionQueue* queue)
      : service_(service), queue_(queue), writer_(&context_) {
    service_->RequestUnary(&context_, &request_, &writer_, queue_, queue_, this);
  }

  void Proceed(bool ok) {
    if (!ok || answered_) {
      delete this;
      return;
    }
    new QueuedCall(service_, queue_);
    answered_ = true;
    Answer(request_, &response_);
    writer_.Finish(response_, grpc::Status::OK, this);
  }

 private:
  Echo::AsyncService* service_;
  grpc::ServerCompletionQueue* queue_;
  grpc::ServerContext context_;
  EchoRequest request_;
  EchoResponse response_;
  grpc::ServerAsyncResponseWriter<EchoResponse> writer_;
  bool answered_ = false;
};

std::string ReadFile(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::shared_ptr<grpc::ServerCredentials> Credentials(int argc, char** argv) {
  if (argc < 5) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({ReadFile(argv[4]), ReadFile(argv[3])});
  return grpc::SslServerCredentials(options);
}

void ServeCallbacks(grpc::ServerBuilder& builder) {
  CallbackEcho service;
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  if (server) server->Wait();
}

void ServeQueue(grpc::ServerBuilder& builder) {
  // Requests that can wait for the thread; more than the benchmark has in flight.
  constexpr int kSlots = 1024;
  Echo::AsyncService service;
  builder.RegisterService(&service);
  auto queue = builder.AddCompletionQueue();
  auto server = builder.BuildAndStart();
  if (!server) return;
  for (int i = 0; i < kSlots; i++) new QueuedCall(&service, queue.get());
  void* tag;
  bool ok;
  while (queue->Next(&tag, &ok)) static_cast<QueuedCall*>(tag)->Proceed(ok);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if ((argc != 3 && argc != 5) || (mode != "queue" && mode != "callback")) {
    std::cerr << "usage: echo-grpc-cpp queue|callback PORT [CERTIFICATE KEY]\n";
    return 2;
  }
  grpc::ServerBuilder builder;
  builder.AddListeningPort(std::string("127.0.0.1:") + argv[2], Credentials(argc, argv));
  mode == "queue" ? ServeQueue(builder) : ServeCallbacks(builder);
}
