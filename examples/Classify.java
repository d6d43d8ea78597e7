import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** One utterance by JSON over HTTP, with nothing but the JDK: java examples/Classify.java HOST:PORT API_KEY */
public final class Classify {
    public static void main(String[] arguments) throws Exception {
        String method = "/v1/bankai.intent.v1.IntentService/Classify";
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + arguments[0] + method))
                .header("authorization", "Bearer " + arguments[1])
                .header("content-type", "application/json")
                .header("x-timeout-ms", "2000")
                .timeout(Duration.ofSeconds(3))
                .POST(HttpRequest.BodyPublishers.ofString("{\"text\": \"我的卡丢了，赶紧给我挂失\", \"maxIntents\": 1}"))
                .build();
        HttpResponse<String> response =
                HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            // The body is the error as google.rpc.Status: details hold its stable reason.
            throw new IllegalStateException(response.statusCode() + " " + response.body());
        }
        System.out.println(response.body());
    }
}
