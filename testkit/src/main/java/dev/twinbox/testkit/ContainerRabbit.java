package dev.twinbox.testkit;

import com.github.dockerjava.api.DockerClient;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.Container;
import org.testcontainers.containers.GenericContainer;

/** A private node in a container, on fixed ports so that they survive a restart. */
final class ContainerRabbit implements RabbitNode {
  private static final String IMAGE = "rabbitmq:4-management";

  private final int port = Ports.OF_THIS_JVM.free();
  private final int managementPort = Ports.OF_THIS_JVM.free();
  private final GenericContainer<?> container = new GenericContainer<>(IMAGE);

  static boolean isPossible() {
    return DockerClientFactory.instance().isDockerAvailable();
  }

  @Override
  public URI amqp() {
    return URI.create("amqp://guest:guest@" + container.getHost() + ":" + port);
  }

  @Override
  public URI management() {
    return URI.create("http://" + container.getHost() + ":" + managementPort);
  }

  @Override
  public void start() {
    if (container.isCreated()) {
      docker().startContainerCmd(container.getContainerId()).exec();
      return;
    }
    container.setPortBindings(List.of(port + ":5672", managementPort + ":15672"));
    container.start();
  }

  @Override
  public void stop() {
    if (container.isRunning()) {
      docker().stopContainerCmd(container.getContainerId()).exec();
    }
  }

  @Override
  public void kill() {
    if (container.isRunning()) {
      docker().killContainerCmd(container.getContainerId()).exec();
    }
  }

  @Override
  public void pause() {
    docker().pauseContainerCmd(container.getContainerId()).exec();
  }

  @Override
  public void resume() {
    docker().unpauseContainerCmd(container.getContainerId()).exec();
  }

  @Override
  public void control(String... command) {
    List<String> words = new ArrayList<>(List.of("rabbitmqctl"));
    words.addAll(List.of(command));
    try {
      Container.ExecResult result = container.execInContainer(words.toArray(new String[0]));
      new Commands.Result(result.getExitCode(), result.getStdout() + result.getStderr())
          .orFail(String.join(" ", command));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void remove() {
    container.stop();
  }

  @Override
  public void checkAlive() {
    if (!container.isRunning()) {
      throw new IllegalStateException("RabbitMQ's container has ended: " + container.getLogs());
    }
  }

  private static DockerClient docker() {
    return DockerClientFactory.instance().client();
  }
}
