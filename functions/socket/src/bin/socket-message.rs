fn main() -> std::process::ExitCode {
    socket::socket_message::main()
}
