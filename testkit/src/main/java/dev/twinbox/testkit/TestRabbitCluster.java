package dev.twinbox.testkit;

import com.rabbitmq.client.Address;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Several private RabbitMQ nodes that form one cluster, from an installed rabbitmq-server.
 *
 * <p>Each node can be killed, frozen and restarted like any {@link TestRabbit}. Safe for use by
 * several threads.
 */
public final class TestRabbitCluster implements AutoCloseable {
  private final List<TestRabbit> nodes;

  private TestRabbitCluster(List<TestRabbit> nodes) {
    this.nodes = nodes;
  }

  /** Starts three nodes, so that one can fail. */
  public static TestRabbitCluster start() {
    return start(3);
  }

  /**
   * Starts nodes and waits until they have found each other.
   *
   * @throws IllegalStateException if no rabbitmq-server is installed
   */
  public static TestRabbitCluster start(int size) {
    Path scripts =
        InstalledRabbit.find()
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "A RabbitMQ cluster needs an installed rabbitmq-server (apt-get install"
                            + " rabbitmq-server)"));
    Epmd epmd = new Epmd();
    List<String> names = IntStream.range(0, size).mapToObj(i -> InstalledRabbit.newName()).toList();
    List<RabbitNode> nodes =
        names.stream()
            .<RabbitNode>map(name -> new InstalledRabbit(scripts, epmd, name, names))
            .toList();
    nodes.forEach(RabbitNode::start);
    List<TestRabbit> ready = nodes.stream().map(TestRabbit::started).toList();
    ready.forEach(node -> node.control("await_online_nodes", Integer.toString(size)));
    return new TestRabbitCluster(ready);
  }

  public int size() {
    return nodes.size();
  }

  /** Node {@code i}, counted from 0. */
  public TestRabbit node(int i) {
    return nodes.get(i);
  }

  /** The addresses of all nodes, for a client that tries one after the other. */
  public List<Address> addresses() {
    return nodes.stream().map(node -> new Address(node.host(), node.port())).toList();
  }

  /** Kills every node and removes what they kept. */
  @Override
  public void close() {
    nodes.forEach(TestRabbit::close);
  }
}
