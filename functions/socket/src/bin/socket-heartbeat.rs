fn main() -> std::process::ExitCode {
    socket::socket_heartbeat::main()
}
