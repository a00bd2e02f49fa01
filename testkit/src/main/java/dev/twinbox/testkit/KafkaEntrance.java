package dev.twinbox.testkit;

/** A way into one broker through a fault proxy, for one kind of client. */
record KafkaEntrance(String name, int port, FaultProxy proxy) {
  static KafkaEntrance open(String name) {
    int port = Ports.OF_THIS_JVM.free();
    return new KafkaEntrance(name, port, FaultProxy.to("127.0.0.1", port));
  }

  String listener() {
    return name + "://127.0.0.1:" + port;
  }

  /** What the broker tells its clients, so that they come back through the proxy. */
  String advertised() {
    return name + "://" + address();
  }

  String address() {
    return "127.0.0.1:" + proxy.port();
  }
}
