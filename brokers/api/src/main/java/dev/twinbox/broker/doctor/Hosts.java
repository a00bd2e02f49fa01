package dev.twinbox.broker.doctor;

/** Tells this machine from others, by the name in an address alone. */
public final class Hosts {
  private Hosts() {}

  /** Whether the host is this machine; brackets around an IPv6 address are allowed. */
  public static boolean isLocal(String host) {
    String bare = host.replaceAll("[\\[\\]]", "");
    return bare.equals("localhost")
        || bare.endsWith(".localhost")
        || bare.startsWith("127.")
        || bare.equals("::1")
        || bare.equals("0:0:0:0:0:0:0:1");
  }
}
