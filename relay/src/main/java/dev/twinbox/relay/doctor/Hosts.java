package dev.twinbox.relay.doctor;

/** Tells this machine from others, by the name in an address alone. */
final class Hosts {
  private Hosts() {}

  static boolean isLocal(String host) {
    String bare = host.replaceAll("[\\[\\]]", "");
    return bare.equals("localhost")
        || bare.endsWith(".localhost")
        || bare.startsWith("127.")
        || bare.equals("::1")
        || bare.equals("0:0:0:0:0:0:0:1");
  }
}
