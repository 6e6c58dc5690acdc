fn main() -> std::process::ExitCode {
    socket::create_socket_ticket::main()
}
