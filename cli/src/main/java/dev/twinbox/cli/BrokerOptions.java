package dev.twinbox.cli;

import dev.twinbox.broker.BrokerKind;
import dev.twinbox.broker.BrokerKind.ClientSetting;
import dev.twinbox.broker.BrokerKinds;
import java.util.HashMap;
import java.util.Map;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** Gives a command the options of all kinds of brokers: {@code --kafka-bootstrap-servers}. */
final class BrokerOptions implements IModelTransformer {
  @Override
  public CommandSpec transform(CommandSpec command) {
    for (BrokerKind kind : BrokerKinds.all()) {
      for (ClientSetting setting : kind.settings()) {
        command.addOption(
            OptionSpec.builder(Brokers.option(kind, setting))
                .type(String.class)
                .paramLabel(setting.label())
                .description(
                    "%s (%s)."
                        .formatted(setting.description(), Brokers.variable(kind, setting))
                        .replace("%", "%%"))
                .build());
      }
    }
    return command;
  }

  /**
   * What the user gave of them, by the keys of the settings.
   *
   * @throws ParameterException for an address with a password, which other users could read
   */
  static Map<String, String> given(CommandSpec command) {
    Map<String, String> given = new HashMap<>();
    for (BrokerKind kind : BrokerKinds.all()) {
      for (ClientSetting setting : kind.settings()) {
        String option = Brokers.option(kind, setting);
        String value = command.commandLine().getParseResult().matchedOptionValue(option, null);
        if (value != null) {
          refusePassword(command, option, kind, setting, value);
          given.put(Brokers.key(kind, setting), value);
        }
      }
    }
    return given;
  }

  private static void refusePassword(
      CommandSpec command, String option, BrokerKind kind, ClientSetting setting, String value) {
    if (Secrets.areIn(value)) {
      throw new ParameterException(
          command.commandLine(),
          "%s: a password is not accepted on the command line, where other users of this machine can read it. Use %s, or %s in a --config FILE."
              .formatted(option, Brokers.variable(kind, setting), Brokers.key(kind, setting)));
    }
  }
}
