fn main() -> std::process::ExitCode {
    socket::socket_disconnect::main()
}
