package server;

import static org.springframework.security.config.Customizer.withDefaults;
import static org.springframework.security.oauth2.server.authorization.config.annotation.web.configurers.OAuth2AuthorizationServerConfigurer.authorizationServer;

import java.util.List;
import java.util.UUID;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.core.annotation.Order;
import org.springframework.http.MediaType;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.crypto.factory.PasswordEncoderFactories;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.server.authorization.OAuth2TokenType;
import org.springframework.security.oauth2.server.authorization.client.InMemoryRegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClient;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.settings.ClientSettings;
import org.springframework.security.oauth2.server.authorization.token.JwtEncodingContext;
import org.springframework.security.oauth2.server.authorization.token.OAuth2TokenCustomizer;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.LoginUrlAuthenticationEntryPoint;
import org.springframework.security.web.util.matcher.MediaTypeRequestMatcher;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Spring Authorization Server in a small application, as its documentation mounts it: all that it has is on, PKCE is optional. */
@SpringBootApplication
public class Application {
    public static void main(String[] arguments) {
        SpringApplication.run(Application.class, arguments);
    }

    @Bean
    @Order(1)
    SecurityFilterChain endpoints(HttpSecurity http) throws Exception {
        var server = authorizationServer();
        var login = new LoginUrlAuthenticationEntryPoint("/login");
        return http.securityMatcher(server.getEndpointsMatcher())
                .with(server, all -> all.pushedAuthorizationRequestEndpoint(withDefaults())
                        .oidc(oidc -> oidc.clientRegistrationEndpoint(withDefaults())))
                .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
                .exceptionHandling(to -> to.defaultAuthenticationEntryPointFor(login, new MediaTypeRequestMatcher(MediaType.TEXT_HTML)))
                .build();
    }

    @Bean
    @Order(2)
    SecurityFilterChain pages(HttpSecurity http) throws Exception {
        // Else an error leads to the login page.
        return http.authorizeHttpRequests(requests -> requests.requestMatchers("/error").permitAll().anyRequest().authenticated())
                .formLogin(withDefaults())
                .build();
    }

    @Bean
    UserDetailsService users() {
        return new InMemoryUserDetailsManager(User.withUsername("alice").password("{noop}alice").roles("USER").build());
    }

    /** The audience is the client, unless an application says which API its tokens are for. */
    @Bean
    OAuth2TokenCustomizer<JwtEncodingContext> audience() {
        return token -> {
            if (OAuth2TokenType.ACCESS_TOKEN.equals(token.getTokenType())) {
                token.getClaims().audience(List.of("https://api.example.com"));
            }
        };
    }

    @Bean
    RegisteredClientRepository clients() {
        // Consent is asked for in a form that is posted to the authorization endpoint.
        return new InMemoryRegisteredClientRepository(
                client("tpc_public01", "partner", false, false),
                client("tpc_conf01", "partner", true, false),
                client("tpc_consent01", "partner", true, true),
                client("first_portal", "portal", true, true),
                client("legacy_partner", "legacy", true, true));
    }

    /** Every client may do everything here: what a strict one may not is for the gate to say. */
    private static RegisteredClient client(String id, String host, boolean isConfidential, boolean asksForConsent) {
        var client = RegisteredClient.withId(UUID.randomUUID().toString())
                .clientId(id)
                .redirectUri("https://" + host + ".example.com/callback")
                .redirectUri("http://127.0.0.1/callback")
                .postLogoutRedirectUri("https://" + host + ".example.com/bye")
                .scopes(all -> all.addAll(List.of("openid", "profile", "offline_access", "read:items", "write:items")))
                .authorizationGrantTypes(all -> all.addAll(List.of(
                        AuthorizationGrantType.AUTHORIZATION_CODE,
                        AuthorizationGrantType.REFRESH_TOKEN,
                        AuthorizationGrantType.CLIENT_CREDENTIALS,
                        AuthorizationGrantType.DEVICE_CODE,
                        AuthorizationGrantType.TOKEN_EXCHANGE)))
                .clientSettings(ClientSettings.builder().requireProofKey(false).requireAuthorizationConsent(asksForConsent).build());
        if (!isConfidential) {
            return client.clientAuthenticationMethod(ClientAuthenticationMethod.NONE).build();
        }
        // No two clients may have the same one: each gets its own salt.
        return client.clientSecret(PasswordEncoderFactories.createDelegatingPasswordEncoder().encode("s3cr3t"))
                .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_BASIC)
                .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_POST)
                .build();
    }

    /** Where the user ends after a device was let in. */
    @RestController
    static class Home {
        @GetMapping("/")
        String home() {
            return "done";
        }
    }
}
