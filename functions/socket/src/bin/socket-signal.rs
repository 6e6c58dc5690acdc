fn main() -> std::process::ExitCode {
    socket::socket_signal::main()
}
