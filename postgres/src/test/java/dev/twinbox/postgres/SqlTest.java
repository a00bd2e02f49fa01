package dev.twinbox.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("essential")
class SqlTest {
  private final List<String> calls = new ArrayList<>();

  private final PreparedStatement statement =
      (PreparedStatement)
          Proxy.newProxyInstance(
              SqlTest.class.getClassLoader(),
              new Class<?>[] {PreparedStatement.class},
              (proxy, method, arguments) -> {
                calls.add(method.getName() + List.of(arguments));
                return null;
              });

  @Test
  void parametersHaveNames() throws SQLException {
    Sql sql = Sql.of("select :lane::int, :key where lane = :lane");
    assertThat(sql.text()).isEqualTo("select ?::int, ? where lane = ?");
    sql.bind(statement, p -> p.set("key", "a").set("lane", 7));
    assertThat(calls).containsExactly("setString[2, a]", "setInt[1, 7]", "setInt[3, 7]");
  }

  @Test
  void textsNamesCommentsAndCastsAreLeftAlone() {
    String sql =
        """
        select ':no', ':it''s', "a:b", x::text, b[1:2] -- :no
        from t""";
    assertThat(Sql.of(sql).text()).isEqualTo(sql);
  }

  @Test
  void allParametersMustBeSet() {
    Sql sql = Sql.of("select :lane, :key");
    assertThatThrownBy(() -> sql.bind(statement, p -> p.set("lane", 1)))
        .hasMessageContaining(":key is not set");
    assertThatThrownBy(() -> sql.bind(statement, p -> p.set("line", 1)))
        .hasMessageContaining("No parameter :line");
  }

  @Test
  void partsArePutInByName() {
    SqlParts parts = SqlParts.none().with("one", "1").with("two", "${one}, 2");
    assertThat(parts.in("select ${two} from t where a = ${one}"))
        .isEqualTo("select 1, 2 from t where a = 1");
    assertThatThrownBy(() -> parts.in("select ${three}")).hasMessageContaining("No part 'three'");
    assertThatThrownBy(() -> parts.with("one", "2")).hasMessageContaining("'one' is there already");
  }
}
