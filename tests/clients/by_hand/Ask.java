import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** What the JDK's own HTTP client sends, by its defaults: an offer of h2c with every request. */
public class Ask {
    public static void main(String[] words) throws Exception {
        String chat = "{\"model\":\"fake\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
        HttpClient client = HttpClient.newHttpClient();
        send(client, words, "/chat/completions", chat + "}");
        send(client, words, "/chat/completions", chat + ",\"stream\":true}");
        send(client, words, "/embeddings", "{\"model\":\"fake\",\"input\":\"hi\"}");
        send(client, words, "/models", null);
    }

    static void send(HttpClient client, String[] words, String path, String body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(words[0] + path))
            .header("Content-Type", "application/json")
            .header("Authorization", "Bearer " + words[1]);
        if (body != null) request.POST(HttpRequest.BodyPublishers.ofString(body));
        HttpResponse<String> answer =
            client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.statusCode() + " " + answer.body());
    }
}
