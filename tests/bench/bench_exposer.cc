// The anchor of scrape_bench.py: the series of an exposition on stdin, served by prometheus-cpp's own Exposer.
// Usage: bench_exposer < exposition.txt; prints the port, serves until stdin's end has been read and SIGTERM comes.
#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace {

// Labels of `{a="x",b="y"}`; the escapes of the text format are undone.
prometheus::Labels labels_of(std::string_view text) {
    prometheus::Labels labels;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t equals = text.find("=\"", at);
        if (equals == std::string_view::npos) break;
        std::string value;
        std::size_t i = equals + 2;
        for (; i < text.size() && text[i] != '"'; ++i) {
            if (text[i] == '\\' && i + 1 < text.size()) ++i;
            value += text[i];
        }
        labels.emplace(text.substr(at, equals - at), value);
        at = i + 2;
    }
    return labels;
}

struct Registered {
    std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
    std::map<std::string, prometheus::Family<prometheus::Counter>*> counters;
    std::map<std::string, prometheus::Family<prometheus::Gauge>*> gauges;

    void add(const std::string& name, bool counter, const prometheus::Labels& labels, double value) {
        if (counter) {
            auto& family = counters[name];
            if (family == nullptr) family = &prometheus::BuildCounter().Name(name).Help(name).Register(*registry);
            family->Add(labels).Increment(value);
        } else {
            auto& family = gauges[name];
            if (family == nullptr) family = &prometheus::BuildGauge().Name(name).Help(name).Register(*registry);
            family->Add(labels).Set(value);
        }
    }
};

}  // namespace

int main() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    Registered series;
    std::map<std::string, std::string> types;
    std::size_t count = 0;
    for (std::string line; std::getline(std::cin, line);) {
        if (line.starts_with("# TYPE ")) {
            const std::size_t end = line.find(' ', 7);
            types[line.substr(7, end - 7)] = line.substr(end + 1);
        }
        if (line.empty() || line[0] == '#') continue;
        const std::size_t blank = line.rfind(' ');
        const std::size_t brace = line.find('{');
        const std::string name = line.substr(0, std::min(brace, blank));
        const std::string_view inner = brace == std::string::npos
                                           ? std::string_view()
                                           : std::string_view(line).substr(brace + 1, blank - brace - 2);
        // The lines of a histogram become plain series: as many lines, and cheaper ones.
        series.add(name, types.contains(name) && types[name] == "counter", labels_of(inner),
                   std::stod(line.substr(blank)));
        ++count;
    }
    prometheus::Exposer exposer("127.0.0.1:0");
    exposer.RegisterCollectable(series.registry);
    std::printf("%d %zu\n", exposer.GetListeningPorts().at(0), count);
    std::fflush(stdout);
    int number = 0;
    sigwait(&signals, &number);
    return 0;
}
